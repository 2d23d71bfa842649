"""From a video file to clips of frames: the plan, the clip reader, and its worker processes."""
