"""What services tell, as it is on the day somebody asks: read alike by who tells it and by who answers.

Owns how told words end, age and are counted in windows. Pure: the moment is given. Must not know who tells.
"""
