"""Readers of what several rules look at: a module a concept. They read and judge nothing."""
