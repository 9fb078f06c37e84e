"""Hours of deliveries with the inbox open: what grows, slows down or is lost.

python -m tests.soak --minutes 60 --rate 200

place     a Lab in a kernel of a real JupyterLab, its inbox in a browser; what both hold
sender    deliveries at a pace, from processes of their own, an interval each
course    the intervals, one after the other
bounds    what the intervals say, held against what is allowed
table     both, as text
"""
