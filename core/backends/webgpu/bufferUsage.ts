/**
 * What buffers are for, as WebGPU's flags. Written out, because its constants exist only once Dawn has
 * been loaded.
 */
const [mapRead, copySource, copyDestination, storage, queryResolve] = [0x1, 0x4, 0x8, 0x80, 0x200];

/** Values that kernels use and that are copied to and fro. */
export const valuesUsage = storage | copyDestination | copySource;
/** What the processor reads, once it has been copied there. */
export const readingUsage = mapRead | copyDestination;
/** Timestamps on their way to {@link readingUsage}. */
export const timestampUsage = queryResolve | copySource;
