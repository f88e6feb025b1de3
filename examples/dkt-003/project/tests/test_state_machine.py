import unittest

from orchestrator.state_machine import IllegalTransition, StateMachine
from orchestrator.transitions import TRANSITIONS


def walked(*states):
    machine = StateMachine()
    for state in states:
        machine.move(state)
    return machine


class WalkTest(unittest.TestCase):
    def test_a_job_starts_in_planning(self):
        self.assertEqual(StateMachine().history, ("PLANNING",))

    def test_a_job_walks_to_done(self):
        machine = walked("ANALYSIS", "EXECUTE", "ACCEPT", "DONE")
        self.assertEqual(machine.history, ("PLANNING", "ANALYSIS", "EXECUTE", "ACCEPT", "DONE"))
        self.assertTrue(machine.ended)

    def test_work_that_was_not_accepted_is_done_again(self):
        machine = walked("ANALYSIS", "EXECUTE", "ACCEPT", "EXECUTE", "ACCEPT", "DONE")
        self.assertEqual(machine.history.count("EXECUTE"), 2)

    def test_a_job_on_its_way_has_not_ended(self):
        self.assertFalse(walked("ANALYSIS").ended)


class RefusalTest(unittest.TestCase):
    def test_every_move_outside_the_table_is_refused(self):
        ways = {
            "PLANNING": (),
            "ANALYSIS": ("ANALYSIS",),
            "EXECUTE": ("ANALYSIS", "EXECUTE"),
            "ACCEPT": ("ANALYSIS", "EXECUTE", "ACCEPT"),
            "DONE": ("ANALYSIS", "EXECUTE", "ACCEPT", "DONE"),
            "FAILED": ("FAILED",),
        }
        for source, way in ways.items():
            for target in set(TRANSITIONS) - set(TRANSITIONS[source]):
                with self.subTest(source=source, target=target), self.assertRaises(IllegalTransition):
                    walked(*way).move(target)

    def test_a_refused_move_changes_nothing(self):
        machine = walked("ANALYSIS")
        with self.assertRaises(IllegalTransition):
            machine.move("DONE")
        self.assertEqual(machine.history, ("PLANNING", "ANALYSIS"))

    def test_a_refusal_names_the_move_and_what_is_allowed(self):
        with self.assertRaises(IllegalTransition) as caught:
            StateMachine().move("DONE")
        self.assertEqual(str(caught.exception), "cannot go PLANNING -> DONE, allowed: ANALYSIS, FAILED")

    def test_an_unknown_state_is_refused(self):
        with self.assertRaises(IllegalTransition):
            StateMachine().move("NOWHERE")


if __name__ == "__main__":
    unittest.main()
