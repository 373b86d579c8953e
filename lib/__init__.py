"""The modules that the programs share; they import no program."""
