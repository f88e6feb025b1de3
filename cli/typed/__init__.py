"""What can be typed: commands, arguments and options. What a command does is loaded when it is asked for."""
