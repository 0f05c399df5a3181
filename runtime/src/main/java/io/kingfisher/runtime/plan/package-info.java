/** From a graph to placed memory: what all devices that compile graphs share. */
package io.kingfisher.runtime.plan;
