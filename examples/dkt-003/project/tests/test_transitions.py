import unittest

from orchestrator.transitions import START, TRANSITIONS, allowed_from, is_end


def reachable(state):
    seen = {state}
    waiting = [state]
    while waiting:
        for target in allowed_from(waiting.pop()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


class TransitionsTest(unittest.TestCase):
    def test_every_target_is_a_state(self):
        for source, targets in TRANSITIONS.items():
            for target in targets:
                self.assertIn(target, TRANSITIONS, f"{source} -> {target}")

    def test_every_state_can_be_reached_from_the_start(self):
        self.assertEqual(reachable(START), set(TRANSITIONS))

    def test_every_state_can_come_to_an_end(self):
        for state in TRANSITIONS:
            self.assertTrue(any(is_end(target) for target in reachable(state)), state)

    def test_done_and_failed_are_the_ends(self):
        self.assertEqual({state for state in TRANSITIONS if is_end(state)}, {"DONE", "FAILED"})

    def test_nothing_is_done_without_acceptance(self):
        self.assertEqual([state for state in TRANSITIONS if "DONE" in allowed_from(state)], ["ACCEPT"])


if __name__ == "__main__":
    unittest.main()
