"""The last that the forkserver imports: what is there by now is no garbage.

A child that collects its own would else look through all that its forkserver imported, and so
copy it: 120 MB and .3 s of each child.
"""

import gc

gc.collect()
gc.freeze()
