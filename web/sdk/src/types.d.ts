/** The order of `MienFace.scores`. */
export type MienExpression = "neutral" | "happiness" | "sadness" | "anger" | "fear" | "disgust" | "surprise";

export interface MienFace {
  /** Identity, stable while the face is tracked. */
  id: number;
  /** Left, top, width and height as fractions of the frame. */
  box: [number, number, number, number];
  /** What the face shows, or null where the analyser abstains. */
  expression: MienExpression | null;
  /** Probability of each expression: neutral, happiness, sadness, anger, fear, disgust, surprise. */
  scores: [number, number, number, number, number, number, number];
  /** How far the face can be judged (size, pose, light), 0 to 1. */
  quality?: number;
}

/** What one analysed frame showed; an empty list of faces means nobody in view. */
export interface MienSample {
  /** Counts from 1 in each run. */
  seq: number;
  /** Capture time, Unix milliseconds. */
  at: number;
  /** Position in the file, milliseconds; absent for cameras and streams. */
  media_ms?: number;
  /** Milliseconds since the run's last sample in which nothing was analysed, and why; absent where there are none. */
  skipped?: { reason: "paused" | "hidden" | "throttled" | "stalled" | "full" | "clock_step"; ms: number }[];
  faces: MienFace[];
}

export interface MienStats {
  cameraFps: number;
  analysedFps: number;
  /** Frames that a newer one replaced before a worker was free. */
  skipped: number;
  /** Median milliseconds of one frame. */
  inferenceMs: number;
  workers: number;
}

export interface MienFault {
  /** Whether the run has ended with it. */
  final: boolean;
  message: string;
}

export interface MienLoadOptions {
  /** Folder of worker and models, on the page's own origin. Default: the folder of this module. */
  baseUrl?: string;
  onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

export interface MienHandlers {
  /** The `sample` event: once for each analysed frame, in order of capture. */
  onSample: (sample: MienSample) => void;
  onStats?: (stats: MienStats) => void;
  onFault?: (fault: MienFault) => void;
  onEnd?: () => void;
}
