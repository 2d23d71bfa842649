"""Films whose sound begins before their pictures."""

from pathlib import Path

import av
import numpy as np

_RATE = 8000


def delay_pictures(film: Path, target: Path, *, seconds: int, sound: int) -> Path:
    """`film` with its pictures that much later, and with `sound` seconds of silence from 0 on."""
    with av.open(str(film)) as source, av.open(str(target), "w") as late:
        pictures = late.add_stream_from_template(source.streams.video[0])
        track = late.add_stream("pcm_s16le", rate=_RATE, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, _RATE * sound), np.int16), layout="mono")
        silence.sample_rate, silence.pts = _RATE, 0
        late.mux(track.encode(silence))
        for packet in source.demux(video=0):
            if packet.size:
                packet.dts += round(seconds / packet.time_base)
                packet.pts += round(seconds / packet.time_base)
                packet.stream = pictures
                late.mux(packet)
    return target
