"""The live view of a terminal: a picture of a run or a batch, drawn again a few times a second."""
