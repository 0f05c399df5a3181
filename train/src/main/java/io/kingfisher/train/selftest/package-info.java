/** What a device must do on a user's machine, beyond single operations: the checks of {@code kingfisher selftest}. */
package io.kingfisher.train.selftest;
