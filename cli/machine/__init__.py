"""What `swarm doctor` looks at: the processor, GPUs, folders, servers, packages and plugins of this machine.

From outside: `examination.examine`. May import `infra`, and what is below it.
"""
