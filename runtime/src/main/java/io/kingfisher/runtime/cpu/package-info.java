/** The CPU device: how a graph becomes a flat list of prepared steps over one block of memory. */
package io.kingfisher.runtime.cpu;
