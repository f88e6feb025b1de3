"""What several test folders share: repositories, states, command-line runs."""
