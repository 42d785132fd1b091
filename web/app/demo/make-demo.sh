#!/usr/bin/env bash
# Makes demo.webm, the clip with which the page shows itself to visitors without a camera: two public-domain
# portraits, each slowly approached and left again, one fading into the other, so that it loops without a jump.
# Needs ffmpeg with libvpx. The portraits and their origin: tests/fixtures/README.md.
set -euo pipefail
cd "$(dirname "$0")"
fixtures=../../../tests/fixtures
fps=24
seconds=6           # of each portrait, the fades included
fade=0.75
frames=$((fps * seconds))

# Upscaled before zooming, as zoompan moves by whole pixels of its input; the crops put the face near the middle.
approach="zoompan=z='1+0.14*(1-cos(2*PI*on/${frames}))/2':x='(iw-iw/zoom)/2+iw*0.012*sin(2*PI*on/${frames})':y='(ih-ih/zoom)/2.6':d=${frames}:s=640x480:fps=${fps}"

ffmpeg -hide_banner -loglevel warning -y \
  -i "$fixtures/astronaut.png" -i "$fixtures/grace_hopper.jpg" \
  -filter_complex "
    [0:v]crop=440:330:8:0,scale=2560:1920:flags=lanczos,${approach},format=yuv420p,setsar=1[first];
    [1:v]crop=480:360:16:20,scale=2560:1920:flags=lanczos,${approach},format=yuv420p,setsar=1[second];
    [first]split[first-a][first-b];
    [first-a][second]xfade=transition=fade:duration=${fade}:offset=$(awk "BEGIN{print ${seconds}-${fade}}")[forth];
    [first-b]trim=0:${fade},setpts=PTS-STARTPTS[again];
    [forth][again]xfade=transition=fade:duration=${fade}:offset=$(awk "BEGIN{print 2*${seconds}-2*${fade}}"),
    trim=${fade},setpts=PTS-STARTPTS[loop]" \
  -map '[loop]' -an -c:v libvpx-vp9 -b:v 0 -crf 40 -deadline best -row-mt 1 -g $((fps * 2)) -pix_fmt yuv420p \
  -fflags +bitexact -flags:v +bitexact -map_metadata -1 demo.webm
ls -l demo.webm
