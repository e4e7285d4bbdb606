"""What the tests share: the reference, expectations, pictures, writers of files. It holds no tests."""
