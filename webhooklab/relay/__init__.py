"""A public server that takes deliveries and hands them to a lab that has no public address.

protocol limits                what relay and reader say to each other: pure
server/                        the relay itself: `webhooklab relay`
client session progress        reading it: a lab exposed by a relay
channels credentials           a channel, made and kept
smee webhookrelay              a lab exposed by relays of others
received sse *_frames          what those say: pure
webhookrelay_api               what Webhook Relay has besides its socket
outward link socket desk       what all readers stand on: connected again and again
"""
