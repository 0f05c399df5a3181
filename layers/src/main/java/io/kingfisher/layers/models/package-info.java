/** The models that configurations can name. */
package io.kingfisher.layers.models;
