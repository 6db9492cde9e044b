"""Tables, as data, of how other systems' events become ours: one YAML file a system, each with a version."""
