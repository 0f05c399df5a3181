/** Rewrites of graphs that compute the same with less work: what every device does before it compiles. */
package io.kingfisher.runtime.passes;
