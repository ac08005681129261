"""The program of the helper container: one JSON object a line on standard input, one answer a line on standard output.

It says nothing before it is asked, and ends with its standard input. Standard library only. Questions that carry a
`number` are answered with it, each as soon as it can be: a slow one does not hold the others.

A failure of the target is an answer: {"error": "refused", ...}. A failure of the agent itself is {"fault": "..."}.
"""
