"""What runs on the other side of the wall: the zygote, its walls, and the job process.

Started by exec from `selfplay.grading.programs.zygotes` under its own top-level name, `jail`, in a
Python without site-packages: so nothing here imports anything but the standard library and its
siblings, and importing this package must stay cheap. The trusted side imports `values` too, since
both ends speak the same frames, and the formats of the control messages in `zygote`.
"""
