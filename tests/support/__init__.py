"""Shared by the tests: the reference, expectations, pictures, writers of files. It holds no tests."""
