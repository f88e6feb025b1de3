"""The parts of the benchmarks: stores, work for them, measurements, and the report."""
