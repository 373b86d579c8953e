"""Tests of the pages in a browser; a package, for they share one."""
