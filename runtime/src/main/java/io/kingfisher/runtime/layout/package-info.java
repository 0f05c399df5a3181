/** How elements lie in memory, on every device. */
package io.kingfisher.runtime.layout;
