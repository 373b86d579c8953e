"""The bytes of bodies: output formats, Native blocks, compression."""
