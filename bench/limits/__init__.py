"""What no pipeline can exceed on this machine: each stage alone."""
