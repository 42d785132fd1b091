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
  /** What lowers it. Absent where nothing does. There may be more in a later version. */
  why?: ("small" | "turned" | "dark" | "blurred" | "cut" | (string & {}))[];
  /** How pleasant the shown expression is, -1 to 1: happiness less the strongest of sadness, anger, fear, disgust. */
  valence?: number;
}

/**
 * Why nothing was analysed for a while: the run was paused, the page hidden, browser or machine too slow, the source
 * silent, no room left, or the wall clock set (then no time was lost). There may be more in a later version.
 */
export type MienSkipReason = "paused" | "hidden" | "throttled" | "stalled" | "full" | "clock_step" | (string & {});

export interface MienSkipped {
  reason: MienSkipReason;
  /** Milliseconds; below 0 only where the clock was set back. */
  ms: number;
}

/** What one analysed frame showed; an empty list of faces means nobody in view. */
export interface MienSample {
  /** Counts from 1 in each run. */
  seq: number;
  /** Capture time, Unix milliseconds. */
  at: number;
  /** Position in the file, milliseconds, where the frame came from one; absent for cameras and streams. */
  media_ms?: number;
  /** Time since this run's last sample in which nothing was analysed, by reason. Absent where there was none. */
  skipped?: MienSkipped[];
  /** The largest, 32 at most. */
  faces: MienFace[];
  /** How many smaller faces were found and not read. Absent where there were none. */
  faces_left_out?: number;
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

/** What `init`, `Mien.load` and `start` reject with: an `Error` with one of these as its `code`. */
export type MienErrorCode =
  | "simd_missing"
  | "not_built"
  | "model_missing"
  | "model_damaged"
  | "network"
  | "blocked"
  | "worker_failed"
  | "invalid_input"
  | "video_without_frames"
  | "unreadable_video"
  | "cross_origin"
  | "source_failed";

export type MienFaultCode =
  | "worker_restarting"
  | "worker_failed"
  | "frame_failed"
  | "nothing_analysed"
  | "source_silent"
  | "source_lost"
  | "source_failed"
  | "cross_origin"
  | "unreadable_video"
  | "video_without_frames";

export interface MienFault {
  /** Whether the run has ended with it. */
  final: boolean;
  code: MienFaultCode;
  message: string;
}

export interface MienLoadOptions {
  /**
   * Folder of worker and models, with the names that they have in the package, on the page's own origin. By default
   * they are where the package lies, or where a bundler that knows `new URL("…", import.meta.url)` has put them.
   */
  baseUrl?: string;
  onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/** What a handler throws reaches `window.onerror` and the console, and ends nothing. */
export interface MienHandlers {
  /** The `sample` event: once for each analysed frame, in order of capture. */
  onSample: (sample: MienSample) => void;
  onStats?: (stats: MienStats) => void;
  onFault?: (fault: MienFault) => void;
  onEnd?: () => void;
}

/** Members for `using`, where the compiler's libraries know them (`esnext.disposable`). */
export type MienDisposable = SymbolConstructor extends { readonly dispose: infer Name extends symbol }
  ? { [Member in Name]: () => void }
  : {};
