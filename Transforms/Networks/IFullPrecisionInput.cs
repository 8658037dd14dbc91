namespace MLExtensions.Networks;

/// <summary>A network whose input holds lengths or token numbers: it must come in float32, whatever the network computes in.</summary>
internal interface IFullPrecisionInput;
