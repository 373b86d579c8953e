"""The programs that the benchmarks run beside Millrace: one folder each."""
