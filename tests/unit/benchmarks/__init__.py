"""The arithmetic of the benchmarks whose figures the documents show."""
