/** What the vendors' C headers say, and finding their libraries. */
module io.kingfisher.nativebindings {}
