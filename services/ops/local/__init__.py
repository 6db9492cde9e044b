"""Local parts: Apache Kafka, PostgreSQL and our own processes on one machine, under one folder.

Owns C360_HOME: what runs there, on which ports, what is restarted, where logs go. Talks to processes only;
knows nothing of topics, tables or services. Linux only: it reads /proc.
"""
