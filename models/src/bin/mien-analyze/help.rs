//! What `--help` says after the arguments.

pub(crate) const AFTER_HELP: &str = "\
Output:
  ndjson  {\"file\":…,\"faces\":[{\"id\",\"box\",\"expression\",\"scores\",\"quality\"}]}, one object a picture; box is
          left, top, width, height in fractions of the picture; scores are in the order neutral, happiness,
          sadness, anger, fear, disgust, surprise; expression is null where the analyser abstains; with --neutral
          \"neutral_looks\" says of how many pictures the neutral face was made; with --landmarks a face has
          \"landmarks\": yaw, pitch and roll (degrees to the right in the picture, up, and clockwise), blink_left and
          blink_right (0 … 1, the person's own eyes), gaze (degrees right and up, relative to the head) and
          coefficients (0 … 1, by the names that MediaPipe publishes), if they could be measured; a frame of a stream has \"frame\",
          counted from 0, and with --fps \"media_ms\"
  csv     one row a face, with a header; a picture without faces has one row with empty columns; a file whose name
          begins as a formula does (= + - @) or with a ' has a ' before it, which no spreadsheet shows; with --landmarks
          columns yaw, pitch, roll, blink_left, blink_right, gaze_right, gaze_up and one for each coefficient; with
          --neutral a column neutral_looks; a stream has the columns frame and, with --fps, media_ms
  fex     as csv, in the columns of Py-Feat's Detectorv1, which its read_feat takes: boxes in pixels, seven emotion
          columns, FrameHeight, FrameWidth, input, and frame, which numbers the pictures; with --track Identity

  A byte of a name that is no UTF-8 is written as \\xFF.

Standard error has a line for each picture that could not be read, with the reason, for what was left out of folders,
and at the end for what was done. In a terminal it shows progress.

Continuing: with --resume FILE, run the same command again after whatever has interrupted it. Pictures that FILE names
are not read again: the name counts, as it was given, and neither size nor time, so take a picture's lines out of FILE
if it has changed. A torn last line is mended. Pictures with errors are tried again, and then come last. FILE must have
been begun with the same --format; a file that is no such output is refused and not changed.

Films: ffmpeg makes pictures of them; set fps to as many a second as you want, twice:
  ffmpeg -v error -i interview.mp4 -vf fps=10 -f image2pipe -c:v ppm - |
    mien-analyze --fps 10 --track --name interview.mp4 --format csv - > interview.csv
With -c:v mjpeg -q:v 2 in place of -c:v ppm the pipe carries JPEG, which is smaller and less exact.

Memory does not grow with the number of pictures: each job holds one picture and its copy of the models. Of pictures of
100 million pixels, the largest that are read, that is up to one gigabyte a job.

Examples:
  mien-analyze portraits/ > faces.ndjson
  mien-analyze --format csv --resume faces.csv portraits/ more/*.jpg
  mien-analyze --format fex --jobs 2 --quiet portraits/ > fex.csv

Exit code: 0 all done, also if whoever read the results has left; 1 some picture could not be read (each is named on
           standard error with the reason: damaged, not supported, too large, empty, or no picture at all), or not one
           was; 2 wrong usage; 3 it stopped early, because results could not be written";
