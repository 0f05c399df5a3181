/** What the vendors' C headers say, and finding their libraries. */
package io.kingfisher.nativebindings;
