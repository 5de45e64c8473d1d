"""The parts of bench/client_cpu.py: what is compiled (projects), and what that costs (accounts, passes)."""
