/** Layers with capture points, losses and models. */
package io.kingfisher.layers;
