"""Operations: the c360 command and the local parts it runs. Talks to services as an outsider does."""
