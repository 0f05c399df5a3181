/** Safetensors files, and checkpoints kept in them. */
package io.kingfisher.train.checkpoint;
