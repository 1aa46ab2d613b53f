-- What kind of video it is, where it comes from, and whether it is sensitive.
-- if kinds
AND kind IN {kinds:Array(UInt16)}
-- if platform
AND platform = {platform:String}
-- if exclude_platform
AND platform != {exclude_platform:String}
-- if classic
AND (platform = 'vine') IN {classic:Array(UInt8)}
-- if sensitive
AND sensitive IN {sensitive:Array(UInt8)}
-- end
