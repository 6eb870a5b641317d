package endpoint

import "docaxis/internal/envelope"

func group(under string) envelope.Group { return envelope.Group{Under: under} }
