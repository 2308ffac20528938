"""One job in a child process, spoken with in messages: the clock, scoring, peak memory."""
