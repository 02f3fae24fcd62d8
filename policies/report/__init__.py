"""The compliance report of a stack, judged from its state by the very rules that the engine runs."""
