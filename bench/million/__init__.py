"""Benchmark of the pages with 10,000, 100,000 and a million applications; see docs/performance.md."""
