"""Relays: public servers that take deliveries, and hand them to a lab that has no public address.

received smee_frames webhookrelay_frames sse   what others' relays say, read; no I/O
link outward                                   a connection from here, made again and again
smee webhookrelay                              others' relays, as exposures
"""
