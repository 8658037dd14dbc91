namespace MLExtensions.Rbm;

/// <summary>The columns of a machine.</summary>
/// <param name="Output">The hidden units.</param>
/// <param name="Input">The visible units.</param>
/// <param name="Reconstruction">The visible units as the hidden ones say, or null.</param>
/// <param name="FreeEnergy">The free energy, or null.</param>
internal sealed record RbmColumnNames(string Output, string Input, string? Reconstruction, string? FreeEnergy);
