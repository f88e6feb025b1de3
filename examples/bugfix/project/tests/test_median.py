import unittest

from stats.median import median


class MedianTest(unittest.TestCase):
    def test_odd_number_of_values_gives_the_middle_one(self):
        self.assertEqual(median([5, 1, 3]), 3)

    def test_even_number_of_values_gives_the_mean_of_the_two_in_the_middle(self):
        self.assertEqual(median([1, 2, 3, 10]), 2.5)

    def test_no_values_are_refused(self):
        with self.assertRaises(ValueError):
            median([])


if __name__ == "__main__":
    unittest.main()
