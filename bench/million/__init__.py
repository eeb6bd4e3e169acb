"""The pages at ten thousand, a hundred thousand and a million applications; see docs/performance.md."""
