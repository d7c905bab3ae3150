package mask

import "encoding/binary"

// markName is the key of what is left of a masked hstore.
const markName = "masked"

// appendHstore leaves one pair of a hstore, that says it is masked: its keys
// are as protected as its values.
func (*Transform) appendHstore(dst []byte, format int16, _ []byte) ([]byte, bool) {
	if format != inBinary {
		return append(dst, `"`+markName+`"=>"`+redacted+`"`...), false
	}
	// hstore_send: how many pairs, and each text behind its length.
	dst = binary.BigEndian.AppendUint32(dst, 1)
	dst = append(binary.BigEndian.AppendUint32(dst, uint32(len(markName))), markName...)
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(redacted))), redacted...), false
}
