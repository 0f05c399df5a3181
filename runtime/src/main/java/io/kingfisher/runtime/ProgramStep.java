package io.kingfisher.runtime;

/**
 * One of the steps that a replay runs one after another, so that they can be measured one by one.
 *
 * @param what the op with its types and how it is done, for people
 * @param scope the path of the layer that recorded it, or empty
 * @param nativeCalls the calls into native libraries that it makes
 * @param flop multiplications and additions of its matrix product or convolution, two for each pair of factors; 0 for others
 * @param bytes the sizes of the buffers that it reads and of those that it writes, without its scratch memory
 * @param run runs it on what is in memory: results have a meaning only where all steps run in order
 */
public record ProgramStep(String what, String scope, int nativeCalls, double flop, double bytes, Runnable run) {}
