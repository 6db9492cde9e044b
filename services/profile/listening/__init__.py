"""Changes of profiles as they are told on Kafka, for whoever listens in this process: streams and webhooks.

Owns reading the topic, cursors and who hears what; sends nothing to anybody itself.
"""
