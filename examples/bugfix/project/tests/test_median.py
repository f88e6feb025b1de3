import unittest

from stats.median import median


class MedianTest(unittest.TestCase):
    def test_an_odd_number(self):
        self.assertEqual(median([5, 1, 3]), 3)

    def test_an_even_number(self):
        self.assertEqual(median([1, 2, 3, 10]), 2.5)

    def test_no_values(self):
        with self.assertRaises(ValueError):
            median([])


if __name__ == "__main__":
    unittest.main()
