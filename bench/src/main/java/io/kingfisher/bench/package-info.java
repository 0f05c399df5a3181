/** JMH benchmarks. */
package io.kingfisher.bench;
